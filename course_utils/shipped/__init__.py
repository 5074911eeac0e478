"""What ships with the course beside its code: trained weights, measured tables, images."""
