-- Free one part. The segment keeps its name: whoever writes it may still append.
--
-- KEYS[1]  {ns}:segment:{name}   hash: part number -> bytes
-- KEYS[2]  {ns}:bytes            counter of all stored bytes
-- ARGV     part number

local size = redis.call('HSTRLEN', KEYS[1], ARGV[1])
-- HDEL before DECRBY: once a script has freed memory, a Redis that is out of it lets the script write.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then
  redis.call('DECRBY', KEYS[2], size)
end
