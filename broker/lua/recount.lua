-- Count again what lies there, and name every segment that is there in its job's set.
--
-- KEYS[1]  {ns}:bytes        counter of all stored bytes
-- ARGV     {ns}:segment:     what every segment's key begins with; {job}:{index}:{kind}:{attempt} follows
--          the same, with the characters escaped that SCAN takes for patterns
--          {ns}:segments:    what every job's set of names begins with; {job} follows
-- Returns the number of bytes.

local total = 0
local seen = {}
local cursor = '0'
repeat
  local page = redis.call('SCAN', cursor, 'MATCH', ARGV[2] .. '*', 'COUNT', 1000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    -- SCAN may name a key twice.
    if not seen[key] then
      seen[key] = true
      for _, number in ipairs(redis.call('HKEYS', key)) do
        total = total + redis.call('HSTRLEN', key, number)
      end
    end
  end
until cursor == '0'

-- DEL first: after it, a Redis that is out of memory lets the script write.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], string.format('%.0f', total))
for key in pairs(seen) do
  local name = string.sub(key, #ARGV[1] + 1)
  local job = string.match(name, '^(.*):%d+:%a+:%d+$')
  if job then
    redis.call('SADD', ARGV[3] .. job, name)
  end
end
return total
