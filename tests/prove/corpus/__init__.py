"""Right rules of every kind, in different but equal ways; the mutation suite is made from them."""
