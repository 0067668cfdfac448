"""The instructions of the native backend's fused kernel: name -> number, as in src/native/fused_instructions.h."""

OPCODES = {
    "LOAD": 0, "STORE": 1, "CONST": 2,
    "ADD": 10, "SUB": 11, "MUL": 12, "DIV": 13, "POW": 14, "MAX": 15, "MIN": 16,
    "EQ": 17, "NE": 18, "LT": 19, "LE": 20, "GT": 21, "GE": 22, "AND": 23, "OR": 24, "XOR": 25,
    "BITAND": 26, "BITOR": 27, "BITXOR": 28, "SHL": 29, "SHR": 30, "FLOORDIV": 31, "MOD": 32, "ARCTAN2": 33,
    "WHERE": 40,
    "NEG": 50, "ABS": 51, "SQRT": 52, "EXP": 53, "EXPM1": 54, "LOG": 55, "LOG1P": 56, "TANH": 57, "SIGMOID": 58,
    "ERF": 59, "SIN": 60, "COS": 61, "FLOOR": 62, "CEIL": 63, "RINT": 64, "SIGN": 65, "RECIPROCAL": 66, "SQUARE": 67,
    "ISNAN": 68, "ISINF": 69, "ISFINITE": 70, "NOT": 71, "SILU": 73, "GELU": 74, "GELU_TANH": 75, "GELU_SLOPE": 76,
    "LOG2": 77, "LOG10": 78, "SINH": 79, "COSH": 80, "TAN": 85, "ARCSIN": 86, "ARCCOS": 87, "ARCTAN": 88, "ARCSINH": 89,
    "ROW_SUM": 90, "ROW_MAX": 91, "ROW_MIN": 92, "ROW_ARGMAX": 93, "ROW_PICK": 94, "ROW_MEAN": 95,
    "ADD_COLUMNS": 100, "ADD_ALL": 101,
    "ARCCOSH": 110, "ARCTANH": 111, "TRUNC": 112,
}  # fmt: skip
