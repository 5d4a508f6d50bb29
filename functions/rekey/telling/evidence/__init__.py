"""The evidence of a rotation: evidence.json, the page drawn from it, and the check of its hash chain.

document.py builds it, write.py puts it into S3, page/ draws it, chain.py checks it. Nothing is imported
here, so that the command line can check and draw without what a Lambda needs.
"""
