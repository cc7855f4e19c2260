"""Training stages: sft.py is supervised fine-tuning on seeds and kept pairs."""
