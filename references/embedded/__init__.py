"""How the embedded model is trained: scenes, autoencoder, text encoder and UNet, and the file of all three."""
