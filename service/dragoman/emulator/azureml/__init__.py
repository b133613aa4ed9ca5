"""Azure Machine Learning on this machine: what is deployed runs, and what is asked of it is really answered."""
