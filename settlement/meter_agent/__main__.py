from settlement.meter_agent.main import main

main()
