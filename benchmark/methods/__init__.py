"""The method: masks, views, joint classifiers, losses and predictions; input mixing."""
