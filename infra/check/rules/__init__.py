"""What no schema holds: rules on the resources that templates come to."""
