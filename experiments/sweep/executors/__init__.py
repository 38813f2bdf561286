"""Where tiles are computed: functions go in, futures come out; one module an executor."""
