"""Images: official layouts, the packed uint8 cache, stand-ins and device-resident batches.

Only ``augment`` imports torch, so that planning and preparing data need none.
"""
