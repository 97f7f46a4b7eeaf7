-- Store the holder's result and end its lease.
--
-- KEYS[1]  {ns}:offers:{job}          hash: index -> attempt that may run
-- KEYS[2]  {ns}:lease:{job}:{index}   hash: attempt, token, worker, num_frames, stage, moved_ms
-- KEYS[3]  {ns}:results:{job}         hash: index -> result
-- ARGV     index, attempt, token, result
-- Returns 1 when stored, 0 when the lease is lost.

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
if redis.call('HGET', KEYS[3], ARGV[1]) == ARGV[4] then
  return 1 -- the same commit, sent again because its answer was lost
end
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[3] then
  return 0
end
-- DEL first: after it, a Redis that is out of memory lets the script write.
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
return 1
