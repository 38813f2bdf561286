"""Work shared out: a function and items go in, results in the order of the items come out, whoever made them."""
