"""Jobs whose input is a picture, or a folder of pictures: looked at, cut, and written by themselves."""
