"""A user's own model: what somebody recorded of their own movement is taught to a finished student.

Arrays and Keras models go in, models and figures come out; run folders and files of a run are
`tinyhar.pipeline.personal`'s business.
"""
