-- Free a segment and forget its name.
--
-- KEYS[1]  {ns}:segment:{name}   hash: part number -> bytes
-- KEYS[2]  {ns}:bytes            counter of all stored bytes
-- KEYS[3]  {ns}:segments:{job}   set of the job's segment names
-- ARGV     name

local size = 0
for _, number in ipairs(redis.call('HKEYS', KEYS[1])) do
  size = size + redis.call('HSTRLEN', KEYS[1], number)
end
-- UNLINK before DECRBY: once a script has freed memory, a Redis that is out of it lets the script write.
if redis.call('UNLINK', KEYS[1]) == 1 then
  redis.call('DECRBY', KEYS[2], size)
end
redis.call('SREM', KEYS[3], ARGV[1])
