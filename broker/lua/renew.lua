-- Let the holder keep its lease, and note how far it is.
--
-- KEYS[1]  {ns}:offers:{job}          hash: index -> attempt that may run
-- KEYS[2]  {ns}:lease:{job}:{index}   hash: attempt, token, worker, num_frames, stage, moved_ms
-- ARGV     index, attempt, token, lease in ms, frames done, stage
-- Returns 1 when renewed, 0 when the lease is lost.

if redis.call('HGET', KEYS[2], 'token') ~= ARGV[3]
  or redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
-- PEXPIRE first: after it, a Redis that is out of memory lets the script write.
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local old = redis.call('HMGET', KEYS[2], 'num_frames', 'stage')
if old[1] ~= ARGV[5] or old[2] ~= ARGV[6] then
  local now = redis.call('TIME')
  redis.call('HSET', KEYS[2], 'num_frames', ARGV[5], 'stage', ARGV[6],
    'moved_ms', string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)))
end
return 1
