"""The catalogue for the public: items, one item, and every change of them, as pages and as an Atom feed."""
