"""scikit-learn estimators on sequences: a regressor and a classifier."""
