-- Take a lock that nobody holds, or hold on to one's own.
--
-- KEYS[1]  {ns}:advancing:{job}   string: owner
-- ARGV     owner, ms
-- Returns 1 when the caller holds it, 0 when another does.

local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  -- Longer than any term: the clock was set back, and a dead owner would keep the lock for as long.
  if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
  return 0
end
-- DEL first: after it, a Redis that is out of memory lets the script write.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
