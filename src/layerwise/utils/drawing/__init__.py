"""A model as a picture: what is in it (`contents`), where (`layout`, `placing`), SVG and pixels (`painting`)."""
