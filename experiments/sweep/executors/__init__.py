"""Where tasks are computed: functions with their arguments go in, word of how each ended comes out; one module an executor."""
