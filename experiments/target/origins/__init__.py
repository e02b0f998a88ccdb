"""A target made from what a team already has: a HAR file, an OpenAPI 3 document, a `curl` command line, an access log.

Text in, the text of a target file out, with a comment at every guess. Nothing is sent, and no secret of the source is kept.
`origin.target_from` is the door.
"""
