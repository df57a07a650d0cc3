"""The questions of `prodaccess init`: asked one by one, each until its answer can be used."""
