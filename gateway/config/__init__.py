"""Every setting, where it comes from, and the fleet it makes."""
