"""The owner of the device."""
