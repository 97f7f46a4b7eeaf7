-- Let an attempt run. Whoever holds another attempt has lost it, and what another attempt gave is dropped;
-- the same offer made twice changes nothing.
--
-- KEYS[1]  {ns}:offers:{job}          hash: index -> attempt that may run
-- KEYS[2]  {ns}:lease:{job}:{index}   hash: attempt, token, worker, num_frames, stage, moved_ms
-- KEYS[3]  {ns}:results:{job}         hash: index -> result
-- ARGV     index, attempt

if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  return
end
-- HSET last: once a script has freed memory, a Redis that is out of it lets the script write.
redis.call('DEL', KEYS[2])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
