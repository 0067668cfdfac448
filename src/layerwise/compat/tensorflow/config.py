"""`tf.config`."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(
    __name__,
    names={
        f"{PREFIX}.machine": """
            LogicalDeviceConfiguration PhysicalDevice get_visible_devices list_logical_devices list_physical_devices
            run_functions_eagerly set_logical_device_configuration set_soft_device_placement set_visible_devices
        """,
        PREFIX: "experimental",
    },
)
