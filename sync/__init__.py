"""How far did each submission get, who is it about, what do we now know? SQLAlchemy yes, web no."""
