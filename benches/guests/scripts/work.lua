-- What Lua runs: tables, closures, metatables, strings, floats. The chunk gives a function without parameters that
-- gives an integer.
local function random(seed)
  return function(limit)
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % limit
  end
end

local Account = {}
Account.__index = Account
function Account.new(balance) return setmetatable({ balance = balance, log = {} }, Account) end
function Account:deposit(amount)
  self.balance = self.balance + amount
  self.log[#self.log + 1] = amount
end

local function accounts(next)
  local list = {}
  for i = 1, 50 do list[i] = Account.new(i) end
  for _ = 1, 8000 do list[1 + next(50)]:deposit(next(1000)) end
  table.sort(list, function(a, b) return a.balance < b.balance end)
  return list[25].balance + #list[50].log
end

local function queens(n)
  local columns, left, right, found = {}, {}, {}, 0
  local function place(row)
    if row > n then found = found + 1 return end
    for c = 1, n do
      if not (columns[c] or left[row + c] or right[row - c + n]) then
        columns[c], left[row + c], right[row - c + n] = true, true, true
        place(row + 1)
        columns[c], left[row + c], right[row - c + n] = nil, nil, nil
      end
    end
  end
  place(1)
  return found
end

local function mandelbrot(side)
  local inside = 0
  for y = 0, side - 1 do
    for x = 0, side - 1 do
      local cr, ci, r, i, k = 3.0 * x / side - 2.0, 2.0 * y / side - 1.0, 0.0, 0.0, 0
      while k < 60 and r * r + i * i < 4.0 do
        r, i, k = r * r - i * i + cr, 2.0 * r * i + ci, k + 1
      end
      if k == 60 then inside = inside + 1 end
    end
  end
  return inside
end

local function text(next)
  local parts = {}
  for i = 1, 1500 do parts[i] = string.format("%s=%d", string.char(97 + next(26), 97 + next(26)), next(1000)) end
  local joined, sums = table.concat(parts, ";"), {}
  for key, value in joined:gmatch("(%w+)=(%d+)") do sums[key] = (sums[key] or 0) + tonumber(value) end
  local keys = {}
  for key in pairs(sums) do keys[#keys + 1] = key end
  table.sort(keys)
  local hash = 0
  for _, key in ipairs(keys) do hash = (hash * 31 + sums[key] + key:upper():byte(1)) & 0xffffff end
  return hash + #joined:gsub("%d%d%d", "<%0>")
end

return function()
  local next = random(2026)
  return accounts(next) + queens(6) + mandelbrot(40) + text(next)
end
