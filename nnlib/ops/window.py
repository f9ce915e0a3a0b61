"""A window that slides over an image: convolution and pooling."""
