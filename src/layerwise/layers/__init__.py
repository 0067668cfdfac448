"""Layers: thin classes that own variables and call `layerwise.ops`; Keras' names and arguments."""

from ..catalog import Names
from ..lazy import lazy as _lazy
from ..serialization import lookups

__getattr__, __dir__, __all__ = _lazy(
    "layerwise.layers",
    {
        ".base": "Layer",
        ".weights": "Weight",
        ".input_spec": "InputSpec",
        ".": "deserialize serialize",
        ".core": "Activation Dense Flatten Identity Input InputLayer Lambda Permute RepeatVector Reshape",
        ".einsum_dense": "EinsumDense",
        ".embedding": "Embedding Masking ReversibleEmbedding",
        ".attention": "AdditiveAttention Attention GroupQueryAttention MultiHeadAttention",
        ".cells": "GRUCell LSTMCell SimpleRNNCell StackedRNNCells",
        ".recurrent": "GRU LSTM RNN SimpleRNN",
        ".convlstm": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
        ".wrappers": "Bidirectional TimeDistributed Wrapper",
        ".convolution": """
            Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Convolution1D Convolution1DTranspose
            Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose DepthwiseConv1D DepthwiseConv2D
            SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D
        """,
        ".pooling": """
            AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
            AdaptiveMaxPooling2D AdaptiveMaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D
            AvgPool2D AvgPool3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D
            GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D
            GlobalMaxPooling2D GlobalMaxPooling3D MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D
            MaxPooling3D
        """,
        ".normalization": """
            BatchNormalization GroupNormalization LayerNormalization RMSNormalization UnitNormalization
        """,
        ".merging": """
            Add Average Concatenate Dot Maximum Minimum Multiply Subtract
            add average concatenate dot maximum minimum multiply subtract
        """,
        ".regularization": """
            ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D
            SpatialDropout3D
        """,
        ".activation": "ELU LeakyReLU PReLU ReLU Softmax",
        ".preprocessing": "Normalization Rescaling",
        ".lookup": "IntegerLookup StringLookup",
        ".spectrogram": "MelSpectrogram STFTSpectrogram",
        ".text": "TextVectorization",
        ".categories": "CategoryEncoding Discretization HashedCrossing Hashing",
        ".augmentation.places": """
            RandomElasticTransform RandomFlip RandomPerspective RandomRotation RandomShear RandomTranslation RandomZoom
        """,
        ".augmentation.colours": """
            AutoContrast RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomGaussianBlur
            RandomGrayscale RandomHue RandomInvert RandomPosterization RandomSaturation RandomSharpness Solarization
        """,
        ".augmentation.histograms": "ContrastLimitedAdaptiveHistogramEqualization Equalization",
        ".augmentation.regions": "CenterCrop CutMix MaxNumBoundingBoxes MixUp RandomCrop RandomErasing Resizing",
        ".augmentation.policies": "AugMix RandAugment",
        ".pipeline": "Pipeline",
        ".spectral": "SpectralNormalization",
        ".reshaping": """
            Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
            ZeroPadding3D
        """,
    },
)
_, serialize, deserialize = lookups("layer", Names("layers", but="Layer"), example="flatten")
