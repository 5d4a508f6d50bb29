"""CDK constructs: what rekey is made of in AWS."""
