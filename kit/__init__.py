"""The integration engineer's kit: make a source folder, look into its system, prove it. Stands above the pipeline."""
