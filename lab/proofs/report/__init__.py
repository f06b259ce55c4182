"""Report of a run of faults under load: a page with timelines, a part of a document, a picture.

Pure but for `__main__`: the data of a run in, text out, the same text for the same data.
"""
