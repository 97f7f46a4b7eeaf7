-- Give an offered attempt to one worker, if nobody holds it and it has no result yet.
--
-- KEYS[1]  {ns}:offers:{job}          hash: index -> attempt that may run
-- KEYS[2]  {ns}:lease:{job}:{index}   hash: attempt, token, worker, num_frames, stage, moved_ms, term_ms
-- KEYS[3]  {ns}:results:{job}         hash: index -> result
-- ARGV     index, attempt, token, worker, lease in ms
-- Returns 1 when given, 0 when not.

local holder = redis.call('HGET', KEYS[2], 'token')
if holder == ARGV[3] then
  return 1 -- the same claim, sent again because its answer was lost
end
if holder
  or redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2]
  or redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then
  return 0
end
-- DEL first: after it, a Redis that is out of memory lets the script write.
redis.call('DEL', KEYS[2])
local now = redis.call('TIME')
redis.call('HSET', KEYS[2], 'attempt', ARGV[2], 'token', ARGV[3], 'worker', ARGV[4],
  'num_frames', 0, 'stage', 'claimed', 'term_ms', ARGV[5], 'moved_ms',
  string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
