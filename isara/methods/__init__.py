"""The methods of the field: isara.py reads like the algorithm; stages.py is what they share."""
