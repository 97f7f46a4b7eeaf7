-- Note that a worker lives, and what it does.
--
-- KEYS[1]  {ns}:worker:{worker}   hash: field -> JSON value, and term_ms
-- ARGV     ms to live, then field and value in turn

-- DEL first: after it, a Redis that is out of memory lets the script write.
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'term_ms', ARGV[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
