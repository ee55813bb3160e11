"""MEXC's REST side: who may call, at what rate, what is asked, and the shape of the answer."""
