-- Take a lock that nobody holds, or hold on to one's own.
--
-- KEYS[1]  {ns}:advancing:{job}   string: owner
-- ARGV     owner, ms
-- Returns 1 when the caller holds it, 0 when another does.

local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
-- DEL first: after it, a Redis that is out of memory lets the script write.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
