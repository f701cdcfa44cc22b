"""Judge: structure, XSD, meaning, volume. Judges are pure; they return findings and never write."""
