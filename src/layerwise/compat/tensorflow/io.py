"""`tf.io`."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(
    __name__,
    names={
        f"{PREFIX}.decoding": """
            decode_csv decode_image decode_jpeg decode_png decode_raw encode_jpeg encode_png matching_files
            parse_tensor read_file serialize_tensor write_file
        """,
        f"{PREFIX}.example": """
            FixedLenFeature FixedLenSequenceFeature RaggedFeature VarLenFeature parse_example parse_single_example
        """,
        f"{PREFIX}.machine": "TFRecordOptions",
        f"{PREFIX}.reading": "TFRecordWriter",
        PREFIX: "gfile",
    },
)
