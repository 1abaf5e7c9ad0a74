"""What happens to images between the sky and the net, in the units of the detector."""
