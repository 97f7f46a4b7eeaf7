-- Set one field of a hash, even in a Redis that is out of memory: what the farm must say is small.
--
-- KEYS[1]  a hash
-- ARGV     field, value

-- HDEL first: after it, a Redis that is out of memory lets the script write.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
