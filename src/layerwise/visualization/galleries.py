"""Galleries of pictures, by matplotlib."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..lazy import need
from .marking import checked_images, draw_bounding_boxes, draw_segmentation_masks


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: str | os.PathLike[str] | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> None:
    """Pictures in rows and columns, with labels under them, shown or written to a file

    Args:
        images: (batch, height, width, channels).
        y_true, y_pred: the number of each picture's class, and of the predicted one.
        label_map: names of classes.
        rows, cols: by default a square that holds all pictures.
        value_range: what values are black and white.
        scale: inches of a picture.
        path: a file to write to.
        show: show them; by default where there is no `path`.
        transparent, dpi: of the file.
        legend_handles: matplotlib's, for a legend.
        data_format: "channels_last" or "channels_first", of `images`.

    Needs matplotlib (`layerwise[plot]`).
    """
    if path is not None and show:
        raise ValueError("plot_image_gallery: path and show: expected one of them")
    if label_map is None and not (y_true is None and y_pred is None):
        raise ValueError("plot_image_gallery: label_map: expected it with y_true or y_pred")
    need("plot_image_gallery", "matplotlib", "plot")
    from matplotlib import pyplot

    pixels = checked_images("plot_image_gallery", images, data_format)
    low, high = value_range
    pixels = np.clip((pixels.astype(np.float32) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    rows = rows or (math.ceil(math.sqrt(len(pixels))) if cols is None else math.ceil(len(pixels) / cols))
    cols = cols or math.ceil(len(pixels) / rows)
    figure, axes = pyplot.subplots(
        rows, cols, figsize=(cols * scale, rows * scale), frameon=False, layout="tight", squeeze=False
    )
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for i, axis in enumerate(axes.flat):
        axis.axis("off")
        if i < len(pixels):
            picture = pixels[i]
            axis.imshow(picture[..., 0] if picture.shape[2] == 1 else picture, cmap="gray")
            said = [
                f"{title}: {(label_map or {}).get(int(np.asarray(labels)[i]), 'Unknown')}"
                for title, labels in (("Label", y_true), ("Pred", y_pred))
                if labels is not None and i < len(labels)
            ]
            axis.set_title("  ".join(said), fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif show is None or show:
        pyplot.show()
    pyplot.close(figure)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Mapping[str, Any] | None = None,
    y_pred: Mapping[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Pictures with the true boxes and the predicted ones on them, in rows and columns

    Args:
        y_true, y_pred: boxes as in `draw_bounding_boxes`.
        true_color, pred_color: their colours.
        class_mapping: names of labels; `ground_truth_mapping` and `prediction_mapping` are those of one kind.
        legend: say which colour is which.
        images, bounding_box_format, line_thickness, font_scale, text_thickness, data_format: as in
            `draw_bounding_boxes`.
        value_range, rows, cols, legend_handles, kwargs: as in `plot_image_gallery`.
    """
    need("plot_bounding_box_gallery", "matplotlib", "plot")
    from matplotlib.patches import Patch

    if legend and legend_handles:
        raise ValueError("plot_bounding_box_gallery: legend and legend_handles: expected one of them")
    pixels = checked_images("plot_bounding_box_gallery", images, data_format)
    for boxes, colour, names in (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    ):
        if boxes is not None:
            pixels = draw_bounding_boxes(
                pixels, boxes, bounding_box_format, names, colour, line_thickness, text_thickness, font_scale,
                "channels_last",
            )  # fmt: skip
            value_range = (0, 255)
    if legend:
        kinds: Any = ("Ground Truth", true_color), ("Prediction", pred_color)
        legend_handles = [Patch(color=tuple(c / 255 for c in colour), label=name) for name, colour in kinds]
    plot_image_gallery(
        pixels, rows=rows, cols=cols, value_range=value_range, legend_handles=legend_handles,
        data_format="channels_last", **kwargs,
    )  # fmt: skip


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Pictures beside themselves with the true masks and the predicted ones on them

    Args:
        value_range: what values of `images` are black and white.
        y_true, y_pred: masks.
        images, num_classes, color_mapping, blend, alpha, ignore_index, data_format: as in `draw_segmentation_masks`.
        kwargs: as in `plot_image_gallery`.
    """
    pixels = checked_images("plot_segmentation_mask_gallery", images, data_format).astype(np.float32)
    low, high = value_range
    pixels = (pixels - low) * np.float32(255 / (high - low))
    columns = [pixels]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = np.asarray(masks)
            if masks.ndim == 4:
                masks = masks[:, 0] if data_format == "channels_first" else masks[..., 0]
            options: Any = (num_classes, color_mapping, alpha, blend, ignore_index, "channels_last")
            columns.append(draw_segmentation_masks(pixels, masks, *options).astype(np.float32))
    side_by_side = np.concatenate(columns, axis=2)
    plot_image_gallery(side_by_side, value_range=(0, 255), data_format="channels_last", **kwargs)
