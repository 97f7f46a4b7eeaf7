-- Let the holder keep its lease, and note how far it is.
--
-- KEYS[1]  {ns}:offers:{job}          hash: index -> attempt that may run
-- KEYS[2]  {ns}:lease:{job}:{index}   hash: attempt, token, worker, num_frames, stage
-- ARGV     index, attempt, token, lease in ms, frames done, stage
-- Returns 1 when renewed, 0 when the lease is lost.

if redis.call('HGET', KEYS[2], 'token') ~= ARGV[3]
  or redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
-- PEXPIRE first: after it, a Redis that is out of memory lets the script write.
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[2], 'num_frames', ARGV[5], 'stage', ARGV[6])
return 1
