"""What the programme makes of the registry: equations, tasks and figures. Nothing here changes what was said."""
