"""What ships with the course beside its code: trained weights, measured tables, images.

Open `weights`, `tables` and `images` for these, `parts` for tables that take hours, `cards` for
what describes each of them, `feature_networks` for the networks of style transfer, and `imagenet`
for what one of them recognises in a photograph.
"""
