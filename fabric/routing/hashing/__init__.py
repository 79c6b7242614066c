"""What hashing flows onto next hops costs: headers, hash functions, walks of single flows, and replicas."""
