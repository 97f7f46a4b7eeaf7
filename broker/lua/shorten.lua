-- Mend what a clock that was set back does to a key: it would live on, and count as fresh, for that much longer.
--
-- KEYS[1]  {ns}:lease:{job}:{index} or {ns}:worker:{worker}   hash: term_ms, and moved_ms in a lease

local term = tonumber(redis.call('HGET', KEYS[1], 'term_ms') or '0')
local left = redis.call('PTTL', KEYS[1])
if term < 1 or left < 1 then
  return
end
local moved = tonumber(redis.call('HGET', KEYS[1], 'moved_ms') or '0')
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
-- PEXPIRE first, needed or not: after it, a Redis that is out of memory lets the script write.
redis.call('PEXPIRE', KEYS[1], math.min(left, term))
if moved > now_ms then
  redis.call('HSET', KEYS[1], 'moved_ms', string.format('%.0f', now_ms))
end
