"""The library that rekey's Lambdas share. It imports none of them."""
