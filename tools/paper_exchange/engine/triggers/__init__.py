"""What waits for a price: trigger orders (plans), take profit and stop loss of positions (stops),
and trailing orders (tracks). Each rests until its price comes, and then places an order like any
other. Nothing is frozen for them while they wait.
"""
