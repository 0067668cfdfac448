"""`tf.image`."""

from .renaming import PREFIX, namespace

ROWS = """
    flip_left_right: flip image axis=-2
    flip_up_down: flip image axis=-3
    hsv_to_rgb: ops.image.hsv_to_rgb images
    rgb_to_grayscale: ops.image.rgb_to_grayscale images
    rgb_to_hsv: ops.image.rgb_to_hsv images
    rot90: rot90 image k axes=(-3,-2)
    transpose: swapaxes image axis1=-3 axis2=-2
"""

__getattr__, __dir__, __all__ = namespace(
    __name__,
    ROWS,
    {
        f"{PREFIX}.images": """
            ResizeMethod adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation central_crop
            convert_image_dtype crop_to_bounding_box extract_patches grayscale_to_rgb pad_to_bounding_box
            per_image_standardization random_brightness random_contrast random_crop random_flip_left_right
            random_flip_up_down random_hue random_saturation resize resize_with_crop_or_pad resize_with_pad
            stateless_random_brightness stateless_random_contrast stateless_random_crop
            stateless_random_flip_left_right stateless_random_flip_up_down stateless_random_hue
            stateless_random_saturation
        """,
        f"{PREFIX}.decoding": "decode_image decode_jpeg decode_png encode_jpeg encode_png",
    },
)
