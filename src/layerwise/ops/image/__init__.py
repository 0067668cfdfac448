"""Images: resizing, affine and perspective maps, cropping, padding, colours, patches, blur, edges, similarity.

All take one image (height, width, channels) or a batch of them, channels second with `data_format="channels_first"`.
Pixel i covers [i, i + 1), its centre is at i + 1/2. Whole numbers are computed in `floatx`, rounded and clipped.
"""

from ...autograd import operation
from ...lazy import public_only
from . import affine, colours, filters, margins, resizing, sampling
from .affine import FILL_MODES as FILL_MODES
from .resizing import KERNELS as KERNELS
from .resizing import nearest_pixels as nearest_pixels
from .resizing import resize_matrix as resize_matrix

__all__ = [
    "affine_transform", "crop_images", "extract_patches", "extract_patches_3d", "gaussian_blur", "hsv_to_rgb",
    "map_coordinates", "pad_images", "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv",
    "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip

affine_transform = operation(affine.affine_transform, __name__)
crop_images = operation(margins.crop_images, __name__)
extract_patches = operation(filters.extract_patches, __name__)
extract_patches_3d = operation(filters.extract_patches_3d, __name__)
gaussian_blur = operation(filters.gaussian_blur, __name__)
hsv_to_rgb = operation(colours.hsv_to_rgb, __name__)
map_coordinates = operation(sampling.map_coordinates, __name__)
pad_images = operation(margins.pad_images, __name__)
perspective_transform = operation(sampling.perspective_transform, __name__)
resize = operation(resizing.resize, __name__)
rgb_to_grayscale = operation(colours.rgb_to_grayscale, __name__)
rgb_to_hsv = operation(colours.rgb_to_hsv, __name__)
scale_and_translate = operation(sampling.scale_and_translate, __name__)
sobel_edges = operation(filters.sobel_edges, __name__)
ssim = operation(filters.ssim, __name__)
public_only(__name__)
