-- Store a part, if the window has room for it. A part that is there already is replaced and counted once.
--
-- KEYS[1]  {ns}:segment:{name}   hash: part number -> bytes
-- KEYS[2]  {ns}:bytes            counter of all stored bytes
-- KEYS[3]  {ns}:segments:{job}   set of the job's segment names
-- ARGV     part number, bytes, limit of all bytes, name
-- Returns 1 when stored, 0 when there is no room.

local growth = #ARGV[2] - redis.call('HSTRLEN', KEYS[1], ARGV[1])
local used = tonumber(redis.call('GET', KEYS[2]) or '0')
if growth > 0 and used + growth > tonumber(ARGV[3]) then
  return 0
end
-- A Redis that is out of memory refuses the first write of a script: then nothing has changed.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('INCRBY', KEYS[2], growth)
redis.call('SADD', KEYS[3], ARGV[4])
return 1
